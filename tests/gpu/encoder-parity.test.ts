import { encoderParity } from '../parity/encoder';
import { openTestDevice } from './open-device';

encoderParity('webgpu', openTestDevice);
