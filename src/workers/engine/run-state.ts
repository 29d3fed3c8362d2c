/**
 * What a run is doing. `timing`: kernels are timed that were not yet on this card. `compiling`: shaders are compiled. `preparing`: what precedes the first step, such as
 * asking the reference about every answer.
 */
export type RunState =
  | 'timing'
  | 'compiling'
  | 'preparing'
  | 'training'
  | 'evaluating'
  | 'sampling'
  | 'saving'
  | 'paused';
