import { generationParity } from '../parity/generation';
import { openTestDevice } from './open-device';

generationParity('webgpu', openTestDevice);
