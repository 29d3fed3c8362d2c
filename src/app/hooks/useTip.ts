import { useEffect, useState } from 'react';

/** The attribute with the text of an element's tooltip. */
export const TIP = 'data-tip';
/** Marks the tooltip itself, which the pointer may enter. */
export const TIP_POPUP = 'data-tip-popup';

export interface Tip {
  anchor: Element;
  text: string;
  /** Shown for the keyboard's focus: the pointer passes through it to what is under it. */
  passive: boolean;
}

const HOVER_MS = 400;
/** To move the pointer from the element into its tooltip. */
const LEAVE_MS = 120;

const elementWithTip = (target: EventTarget | null) => (target instanceof Element ? target.closest(`[${TIP}]`) : null);

/** The tooltip to show: of what the pointer rests on, or what has the keyboard's focus. */
export function useTip(): Tip | null {
  const [tip, setTip] = useState<Tip | null>(null);
  useEffect(() => {
    let shown: Element | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const watch = new MutationObserver(() => {
      const text = shown?.isConnected ? shown.getAttribute(TIP) : null;
      if (!shown || !text) hide();
      else
        setTip((now) =>
          now?.text === text ? now : { anchor: shown as Element, text, passive: now?.passive ?? false },
        );
    });

    function show(anchor: Element, passive: boolean) {
      clearTimeout(timer);
      shown = anchor;
      setTip({ anchor, text: anchor.getAttribute(TIP) ?? '', passive });
      watch.observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: [TIP] });
    }
    function hide() {
      clearTimeout(timer);
      shown = null;
      watch.disconnect();
      setTip(null);
    }
    const later = (action: () => void, milliseconds: number) => {
      clearTimeout(timer);
      timer = setTimeout(action, milliseconds);
    };

    function onPointerOver({ target, pointerType }: PointerEvent) {
      if (pointerType === 'touch') return;
      const anchor = elementWithTip(target);
      if (anchor === shown || (target instanceof Element && target.closest(`[${TIP_POPUP}]`))) clearTimeout(timer);
      else if (anchor && shown) show(anchor, false);
      else if (anchor) later(() => show(anchor, false), HOVER_MS);
      else if (shown) later(hide, LEAVE_MS);
      else clearTimeout(timer);
    }
    function onFocusIn({ target }: FocusEvent) {
      const anchor = elementWithTip(target);
      if (anchor?.matches(':focus-visible')) show(anchor, true);
      else hide();
    }
    function onFocusOut({ target }: FocusEvent) {
      if (shown && shown === elementWithTip(target)) hide();
    }
    const onKeyDown = ({ key }: KeyboardEvent) => key === 'Escape' && hide();

    const listeners: [string, (event: never) => void][] = [
      ['pointerover', onPointerOver],
      ['pointerdown', hide],
      ['focusin', onFocusIn],
      ['focusout', onFocusOut],
      ['keydown', onKeyDown],
    ];
    for (const [name, listener] of listeners) document.addEventListener(name, listener as EventListener, true);
    return () => {
      hide();
      for (const [name, listener] of listeners) document.removeEventListener(name, listener as EventListener, true);
    };
  }, []);
  return tip;
}
