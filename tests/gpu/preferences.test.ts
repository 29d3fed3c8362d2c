import { preferenceParity } from '../parity/preferences';
import { openTestDevice } from './open-device';

preferenceParity('webgpu', openTestDevice);
