import { optimizerParity } from '../parity/optimizer';
import { openTestDevice } from './open-device';

optimizerParity('webgpu', openTestDevice);
