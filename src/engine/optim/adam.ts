/** Adam (Kingma & Ba, 2015) as in torch.optim.Adam: weight decay is added to the gradient and so enters the moments. */
import { adamKind } from './adamw';

export const adam = adamKind(true);
