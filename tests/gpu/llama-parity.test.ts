import { openTestDevice } from './open-device';
import { llamaParity } from '../parity/llama';

llamaParity('webgpu', openTestDevice);
