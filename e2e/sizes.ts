/** How many calls a test places: enough to find a fault within minutes, with `E2E_SIZE=full` as many as the acceptance asks. */
export function ofSize(size: { readonly usual: number; readonly full: number }): number {
  return process.env['E2E_SIZE'] === 'full' ? size.full : size.usual
}
