import { promptParity } from '../parity/prompts';
import { openTestDevice } from './open-device';

promptParity('webgpu', openTestDevice);
