/** The download worker: only workers may write files of the private file system in place. */

import { serve } from '../../rpc/rpc';
import { createDownloadService } from './service';

serve(createDownloadService());
