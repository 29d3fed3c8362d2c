import { peftParity } from '../parity/peft';
import { openTestDevice } from './open-device';

peftParity('webgpu', openTestDevice);
