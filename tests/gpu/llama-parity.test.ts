import { llamaParity } from '../parity/llama';
import { openTestDevice } from './open-device';

llamaParity('webgpu', openTestDevice);
