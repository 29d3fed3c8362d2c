import type { LucideIcon } from 'lucide-react';
import { Button, type ButtonProps } from './Button';
import { Tooltip } from './Tooltip';

/** A button with an icon only; its label is the accessible name and the tooltip. */
export function IconButton({
  icon: Icon,
  label,
  ...rest
}: Omit<ButtonProps, 'aria-label' | 'children'> & { icon: LucideIcon; label: string }) {
  const button = (
    <Button variant="quiet" {...rest} aria-label={label} className={`aspect-square !px-0 ${rest.className ?? ''}`}>
      <Icon aria-hidden size={16} strokeWidth={1.75} />
    </Button>
  );
  return rest.why ? button : <Tooltip content={label}>{button}</Tooltip>;
}
