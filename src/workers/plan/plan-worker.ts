/** The plan worker: dry runs of training, next to the engine, which may be busy. */

import '../closed';
import { serve } from '../../rpc/rpc';
import { createPlanService } from './service';

serve(createPlanService());
