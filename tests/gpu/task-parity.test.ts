import { taskParity, taskTraining } from '../parity/tasks';
import { openTestDevice } from './open-device';

// The families whose heads differ; the CPU run covers all of them.
taskParity('webgpu', ['bert', 'roberta', 'llama'], openTestDevice);
taskTraining('webgpu', [0, 2, 4], openTestDevice);
