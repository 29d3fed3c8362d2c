import { DECODERS, familyParity } from '../parity/family';
import { openTestDevice } from './open-device';

familyParity('webgpu', DECODERS, openTestDevice);
