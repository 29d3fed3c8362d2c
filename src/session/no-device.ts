/** What is reported where no GPU can be used, or before anything is known of it. */
import type { DeviceReport } from './api';

export const NO_DEVICE: DeviceReport = {
  available: false,
  vendor: '',
  architecture: '',
  description: '',
  software: false,
  features: [],
  subgroupSizes: null,
  limits: {},
  maxBufferSize: 0,
  maxStorageBufferBindingSize: 0,
  problem: null,
};
