import type { AgentEvent } from './index.js';

/** An event of @ag-ui/core 1.0. */
export interface AgUiEvent {
    type: string;
    /** The run that it belongs to: an AG-UI consumer takes one at a time. */
    runId: string;
    timestamp?: number;
    [member: string]: unknown;
}

export class AgUi {
    /** The AG-UI events of one event, in order. */
    convert(event: AgentEvent): AgUiEvent[];
    /** RUN_ERROR for each run that is open: after "gap", "reset", "rejected". */
    end(message: string): AgUiEvent[];
}
