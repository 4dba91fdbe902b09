import type { AgentEvent } from './index.js';

/** See docs.ag-ui.com for the members of each type. */
export interface AgUiEvent {
    type: string;
    timestamp?: number;
    [member: string]: unknown;
}

export class AgUi {
    convert(event: AgentEvent): AgUiEvent[];
}
