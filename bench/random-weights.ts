/** A Llama with random weights in any stored type, made as fast as they are copied; their values do not matter here. */
import { randomSource } from '../src/engine/benchmark/random-weights';
import type { StoredType, WeightSource } from '../src/engine/models/model';
import { type Shape, tensorShape } from './random-llama';

export const randomWeights = (shape: Shape, typeOf: (name: string) => StoredType): WeightSource =>
  randomSource((name) => tensorShape(name, shape), typeOf);
