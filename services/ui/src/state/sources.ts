import { computed, signal } from '@preact/signals'
import { sourcesAnswer, type SourcesAnswer } from '@sip-capture/contract/rest/source.ts'
import { getJson } from './api-client.ts'

/** Health of the chain as last told, by the live feed or over REST. */
export class SourcesModel {
  readonly answer = signal<SourcesAnswer | null>(null)
  readonly problem = signal<string | null>(null)

  /** The AMI heartbeats and the wire's. */
  readonly items = computed(() => this.answer.value?.items ?? [])

  take(answer: SourcesAnswer): void {
    this.answer.value = answer
    this.problem.value = null
  }

  async load(): Promise<void> {
    const result = await getJson('/sources', sourcesAnswer)
    if (result.ok) this.take(result.value)
    else if (result.problem.kind !== 'aborted') this.problem.value = result.problem.message
  }
}
