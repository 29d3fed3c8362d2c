import { pullParity } from '../parity/pull';
import { openTestDevice } from './open-device';

pullParity('webgpu', openTestDevice);
