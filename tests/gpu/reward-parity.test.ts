import { rewardLoss, rewardTraining } from '../parity/reward-models';
import { openTestDevice } from './open-device';

rewardLoss('webgpu', openTestDevice);
// The families whose heads differ; the CPU run covers all of them.
rewardTraining('webgpu', ['llama-lora', 'gpt2-lora', 'bert-full'], openTestDevice);
