/** The download worker: only workers may write files of the private file system in place. */
import { createDownloadService } from './download-service';
import { serve } from './rpc';

serve(createDownloadService());
