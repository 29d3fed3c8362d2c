import { PPO_RUNS, ROLLOUT_RUNS, rolloutTraining } from '../parity/rollout-training';
import { openTestDevice } from './open-device';

rolloutTraining('webgpu', 'training', ROLLOUT_RUNS, openTestDevice);
rolloutTraining('webgpu', 'ppo', PPO_RUNS, openTestDevice);
