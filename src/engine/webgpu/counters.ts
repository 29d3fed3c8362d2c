/**
 * Totals since the device was opened, tfjs's own included; the difference of two readings gives a step's number. Buffers are all that
 * were created, uniform buffers those that `dispatch` keeps among them; replays are of recorded work (recording.ts).
 */
export const counters = { dispatches: 0, submits: 0, bindGroups: 0, buffers: 0, uniformBuffers: 0, replays: 0 };
