import { resumeParity } from '../parity/resume';
import { openTestDevice } from './open-device';

resumeParity('webgpu', openTestDevice);
