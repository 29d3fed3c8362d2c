import { notFiniteParity } from '../parity/not-finite';
import { openTestDevice } from './open-device';

notFiniteParity('webgpu', openTestDevice);
