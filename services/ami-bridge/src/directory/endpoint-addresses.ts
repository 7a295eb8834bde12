import type { EndpointEntry } from '@sip-capture/contract/bus/endpoint-directory.ts'
import { createAddressRanges, type AddressRanges } from '@sip-capture/service/address-ranges.ts'

/** Which addresses an endpoint calls from or is called at, as Asterisk last said. */
export interface EndpointAddresses {
  replace(endpoints: readonly EndpointEntry[]): void
  /** Did Asterisk list an endpoint of exactly this name? */
  has(endpoint: string): boolean
  /** Undefined where no address of that endpoint is known. Ports do not count: a phone may send from another. */
  isEndpointAt(endpoint: string, address: string): boolean | undefined
}

export function createEndpointAddresses(): EndpointAddresses {
  let byEndpoint = new Map<string, AddressRanges>()
  return {
    replace(endpoints) {
      byEndpoint = new Map(
        endpoints.map(({ name, addresses, matches }) => [
          name,
          createAddressRanges([...addresses.map(({ address }) => address), ...matches]),
        ]),
      )
    },
    has: (endpoint) => byEndpoint.has(endpoint),
    isEndpointAt(endpoint, address) {
      const ranges = byEndpoint.get(endpoint)
      return ranges === undefined || ranges.isEmpty ? undefined : ranges.has(address)
    },
  }
}
