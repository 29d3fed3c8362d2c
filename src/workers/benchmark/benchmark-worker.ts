/** The benchmark worker: a device of its own, so that nothing of the open model is touched, and ended with it. */

import '../closed';
import { serve } from '../../rpc/rpc';
import { createBenchmarkService } from './service';

serve(createBenchmarkService());
