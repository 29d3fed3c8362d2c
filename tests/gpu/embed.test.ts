import { embedParity } from '../parity/embed';
import { openTestDevice } from './open-device';

embedParity('webgpu', openTestDevice);
