/**
 * What a run is doing. `timing`: kernels are timed that were not yet on this card. `preparing`: what precedes the first step, such as
 * asking the reference about every answer.
 */
export type RunState = 'timing' | 'preparing' | 'training' | 'evaluating' | 'sampling' | 'saving' | 'paused';
