/** The download worker. Only workers can write files of the origin private file system in place. */

import { serve } from '../../rpc/rpc';
import { createDownloadService } from './service';

serve(createDownloadService());
