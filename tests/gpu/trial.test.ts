import { trialParity } from '../parity/trial';
import { openTestDevice } from './open-device';

trialParity('webgpu', openTestDevice);
