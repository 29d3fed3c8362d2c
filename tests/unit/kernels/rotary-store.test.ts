import { rotaryStoreParity } from '../../parity/rotary-store';

rotaryStoreParity('cpu');
