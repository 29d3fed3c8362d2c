import { taskParity, taskTraining } from '../parity/tasks';
import { openTestDevice } from './open-device';

// The families that differ in their heads; the CPU references have all of them.
taskParity('webgpu', ['bert', 'roberta', 'llama'], openTestDevice);
taskTraining('webgpu', [0, 2, 4], openTestDevice);
