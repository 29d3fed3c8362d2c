import { rotaryStoreParity } from '../../parity/rotary-store';

rotaryStoreParity('webgpu');
