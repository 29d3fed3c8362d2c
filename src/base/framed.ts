/**
 * Whether another page shows this one in a frame, where it could lay its own buttons over ours. Our server forbids it; on a
 * plain static host nothing does, so a framed page does not start.
 */
export const isFramed = (): boolean => window.top !== window.self;
