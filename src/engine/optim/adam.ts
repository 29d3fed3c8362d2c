/** Adam (Kingma & Ba, 2015) as torch.optim.Adam: weight decay is added to the gradient, and so passes through the moments. */
import { adamKind } from './adamw';

export const adam = adamKind(true);
