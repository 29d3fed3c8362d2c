import { storeRowsParity } from '../../parity/store-rows';

storeRowsParity('webgpu');
