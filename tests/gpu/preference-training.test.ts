import { preferenceTraining } from '../parity/preference-training';
import { openTestDevice } from './open-device';

// One of each objective, for a LoRA that is new or continued and for every weight: the losses are compared in preferences.test.ts.
preferenceTraining('webgpu', [0, 1, 8, 13, 16, 17, 20], openTestDevice);
