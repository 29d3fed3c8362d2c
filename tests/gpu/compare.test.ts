import { compareParity } from '../parity/compare';
import { openTestDevice } from './open-device';

compareParity('webgpu', openTestDevice);
