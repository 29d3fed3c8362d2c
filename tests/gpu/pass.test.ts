import { passParity } from '../parity/pass';
import { openTestDevice } from './open-device';

passParity('webgpu', openTestDevice);
