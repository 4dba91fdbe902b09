/* docs/openapi.yaml and docs/asyncapi.yaml, by the linters of their own. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(process.env.WS_MGR_CLIENTS + '/');
const docs = new URL('../../docs/', import.meta.url).pathname;
let failed = 0;

const say = (ok, name, faults) => {
    failed += !ok;
    console.log(`${ok ? 'ok' : 'not ok'} ${name}`);
    if (!ok) console.log('# ' + JSON.stringify(faults, null, 1)
                                    .replace(/\n/g, '\n# '));
};

const { Validator } = await import(
    require.resolve('@seriousme/openapi-schema-validator'));
const open = await new Validator().validate(`${docs}/openapi.yaml`);

say(open.valid, 'openapi.yaml', open.errors);

const { Parser } = require('@asyncapi/parser');
const { diagnostics } = await new Parser().parse(
    readFileSync(`${docs}/asyncapi.yaml`, 'utf8'));
const faults = diagnostics.filter(d => d.severity <= 1);

say(faults.length === 0, 'asyncapi.yaml',
    faults.map(d => `${d.path.join('.')}: ${d.message}`));

process.exit(failed ? 1 : 0);
