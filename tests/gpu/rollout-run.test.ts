import { rolloutParity } from '../parity/rollout-run';
import { openTestDevice } from './open-device';

rolloutParity('webgpu', openTestDevice);
