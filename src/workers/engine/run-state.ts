/** What a run is doing. `preparing`: what precedes the first step, such as asking the reference about every answer. */
export type RunState = 'preparing' | 'training' | 'evaluating' | 'sampling' | 'saving' | 'paused';
