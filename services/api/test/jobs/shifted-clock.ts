/** Loaded before the service: its clock is CLOCK_SHIFT_MILLIS off, so that a test need not wait for days to pass. */
const shift = Number(process.env['CLOCK_SHIFT_MILLIS'] ?? 0)
const now = Date.now

globalThis.Date = new Proxy(Date, {
  construct: (target, args: unknown[], self) =>
    Reflect.construct(target, args.length === 0 ? [now() + shift] : args, self) as Date,
  get: (target, key) => (key === 'now' ? () => now() + shift : (Reflect.get(target, key) as unknown)),
})
Object.defineProperty(performance, 'timeOrigin', { value: performance.timeOrigin + shift })
