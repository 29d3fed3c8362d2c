/** Every method on WebGPU, each with one family and objective: cells of the matrix that the CPU run covers completely. */
import { CELLS } from '../parity/matrix/cells';
import { matrixTraining } from '../parity/matrix/suite';
import { openTestDevice } from './open-device';

const chosen = [
  'llama lora sft',
  'llama prefix_tuning pretraining',
  'llama ia3 sequence_classification',
  'llama prompt_tuning token_classification',
  'llama gradual_unfreezing sequence_classification',
  'bert full masked_lm',
  'bert head sequence_classification',
  'bert p_tuning sequence_classification',
  'bert bottleneck token_classification',
];

matrixTraining(
  'webgpu',
  CELLS.filter(({ family, method, objective }) => chosen.includes(`${family.name} ${method} ${objective}`)),
  openTestDevice,
);
