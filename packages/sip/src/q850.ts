/** Cause values of ITU-T Q.850 as they stand in a Reason header (RFC 3326), in plain words. */
const causes: ReadonlyMap<number, string> = new Map([
  [1, 'unallocated number'],
  [2, 'no route to the transit network'],
  [3, 'no route to the destination'],
  [16, 'normal call clearing'],
  [17, 'user busy'],
  [18, 'no user responding'],
  [19, 'no answer from the user'],
  [20, 'subscriber absent'],
  [21, 'call rejected'],
  [22, 'number changed'],
  [23, 'redirected to a new destination'],
  [26, 'answered elsewhere'],
  [27, 'destination out of order'],
  [28, 'invalid number format'],
  [29, 'facility rejected'],
  [31, 'normal, unspecified'],
  [34, 'no circuit or channel available'],
  [38, 'network out of order'],
  [41, 'temporary failure'],
  [42, 'switching equipment congestion'],
  [44, 'requested channel not available'],
  [47, 'resource unavailable'],
  [50, 'requested facility not subscribed'],
  [52, 'outgoing calls barred'],
  [54, 'incoming calls barred'],
  [55, 'incoming calls barred within the group'],
  [57, 'bearer capability not authorized'],
  [58, 'bearer capability not available'],
  [63, 'service or option not available'],
  [65, 'bearer capability not implemented'],
  [69, 'requested facility not implemented'],
  [79, 'service or option not implemented'],
  [87, 'user not a member of the group'],
  [88, 'incompatible destination'],
  [95, 'invalid message'],
  [96, 'mandatory information element is missing'],
  [97, 'message type not implemented'],
  [98, 'message not compatible with the call state'],
  [99, 'information element not implemented'],
  [100, 'invalid information element contents'],
  [101, 'message not compatible with the call state'],
  [102, 'recovery on timer expiry'],
  [103, 'parameter not implemented'],
  [111, 'protocol error'],
  [127, 'interworking, unspecified'],
])

/** `''` for a cause that has no usual name. */
export function causeText(cause: number): string {
  return causes.get(cause) ?? ''
}

/** The Q.850 cause of a Reason header's value; null when it has none. Several reasons may stand in one header. */
export function parseCause(reason: string | undefined): number | null {
  const digits = /(?:^|,)\s*Q\.850\s*;(?:[^,]*;)?\s*cause\s*=\s*(\d{1,3})/i.exec(reason ?? '')?.[1]
  return digits === undefined ? null : Number(digits)
}
