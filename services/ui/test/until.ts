/** Waits for a fact; the bound only ends a test that would hang. */
export async function until(fact: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const endAt = Date.now() + 300_000
  while (!(await fact())) {
    if (Date.now() > endAt) throw new Error(`never happened: ${what}`)
    await new Promise((resolve) => {
      setTimeout(resolve, 10)
    })
  }
}
