import type { VerdictRule } from './finding.ts'
import { addressIncomplete } from './verdict-rules/address-incomplete.ts'
import { alternativeService } from './verdict-rules/alternative-service.ts'
import { anonymousRefused } from './verdict-rules/anonymous-refused.ts'
import { badEvent } from './verdict-rules/bad-event.ts'
import { brokenLogin } from './verdict-rules/broken-login.ts'
import { busy } from './verdict-rules/busy.ts'
import { byeUnanswered } from './verdict-rules/bye-unanswered.ts'
import { callForbidden } from './verdict-rules/call-forbidden.ts'
import { callLeftOver } from './verdict-rules/call-left-over.ts'
import { cancelCrossedAnswer } from './verdict-rules/cancel-crossed-answer.ts'
import { cancelIgnored } from './verdict-rules/cancel-ignored.ts'
import { cancelled } from './verdict-rules/cancelled.ts'
import { completed } from './verdict-rules/completed.ts'
import { connectionSilent } from './verdict-rules/connection-silent.ts'
import { declined } from './verdict-rules/declined.ts'
import { dialogUnknown } from './verdict-rules/dialog-unknown.ts'
import { encryptionMismatch } from './verdict-rules/encryption-mismatch.ts'
import { endNotSeen } from './verdict-rules/end-not-seen.ts'
import { endedAtTimerH } from './verdict-rules/ended-at-timer-h.ts'
import { forked } from './verdict-rules/forked.ts'
import { glare } from './verdict-rules/glare.ts'
import { gone } from './verdict-rules/gone.ts'
import { holdNotReleased } from './verdict-rules/hold-not-released.ts'
import { identityRefused } from './verdict-rules/identity-refused.ts'
import { inProgress } from './verdict-rules/in-progress.ts'
import { inviteUnanswered } from './verdict-rules/invite-unanswered.ts'
import { largeInviteUnanswered } from './verdict-rules/large-invite-unanswered.ts'
import { lateOfferUnanswered } from './verdict-rules/late-offer-unanswered.ts'
import { loopDetected } from './verdict-rules/loop-detected.ts'
import { mediaNotAcceptable } from './verdict-rules/media-not-acceptable.ts'
import { networkCause } from './verdict-rules/network-cause.ts'
import { noAck } from './verdict-rules/no-ack.ts'
import { noCredentials } from './verdict-rules/no-credentials.ts'
import { noDtmfEvents } from './verdict-rules/no-dtmf-events.ts'
import { noIce } from './verdict-rules/no-ice.ts'
import { numberNotFound } from './verdict-rules/number-not-found.ts'
import { numberNotFoundHere } from './verdict-rules/number-not-found-here.ts'
import { onlyTrying } from './verdict-rules/only-trying.ts'
import { optionsRefused } from './verdict-rules/options-refused.ts'
import { optionsUnanswered } from './verdict-rules/options-unanswered.ts'
import { poorMedia } from './verdict-rules/poor-media.ts'
import { prackMissing } from './verdict-rules/prack-missing.ts'
import { privateContact } from './verdict-rules/private-contact.ts'
import { privateMediaAddress } from './verdict-rules/private-media-address.ts'
import { progressWithoutSdp } from './verdict-rules/progress-without-sdp.ts'
import { redirected } from './verdict-rules/redirected.ts'
import { registered } from './verdict-rules/registered.ts'
import { registrationForbidden } from './verdict-rules/registration-forbidden.ts'
import { registrationLapsed } from './verdict-rules/registration-lapsed.ts'
import { registrationRefused } from './verdict-rules/registration-refused.ts'
import { registrationStopped } from './verdict-rules/registration-stopped.ts'
import { registrationTooBrief } from './verdict-rules/registration-too-brief.ts'
import { registrationUnanswered } from './verdict-rules/registration-unanswered.ts'
import { rejected } from './verdict-rules/rejected.ts'
import { responsesAstray } from './verdict-rules/responses-astray.ts'
import { responsesNotReceived } from './verdict-rules/responses-not-received.ts'
import { rewrittenSdp } from './verdict-rules/rewritten-sdp.ts'
import { ringingAndProgress } from './verdict-rules/ringing-and-progress.ts'
import { rtpTimeout } from './verdict-rules/rtp-timeout.ts'
import { scanner } from './verdict-rules/scanner.ts'
import { serverError } from './verdict-rules/server-error.ts'
import { serviceUnavailable } from './verdict-rules/service-unavailable.ts'
import { sessionChangeRefused } from './verdict-rules/session-change-refused.ts'
import { sessionIntervalTooSmall } from './verdict-rules/session-interval-too-small.ts'
import { sessionTimerExpired } from './verdict-rules/session-timer-expired.ts'
import { severalContacts } from './verdict-rules/several-contacts.ts'
import { slowSetup } from './verdict-rules/slow-setup.ts'
import { staleNonce } from './verdict-rules/stale-nonce.ts'
import { temporarilyUnavailable } from './verdict-rules/temporarily-unavailable.ts'
import { timeout } from './verdict-rules/timeout.ts'
import { tooManyContacts } from './verdict-rules/too-many-contacts.ts'
import { tooManyHops } from './verdict-rules/too-many-hops.ts'
import { transferFailed } from './verdict-rules/transfer-failed.ts'
import { trunkChallenges } from './verdict-rules/trunk-challenges.ts'
import { unidentifiedCaller } from './verdict-rules/unidentified-caller.ts'
import { unsupported } from './verdict-rules/unsupported.ts'
import { wrongPassword } from './verdict-rules/wrong-password.ts'
import { wrongTarget } from './verdict-rules/wrong-target.ts'

/** All rules. Of the outcomes the first that a leg has is told, so the specific ones come before the generic; symptoms
 *  stand in the order in which they explain one another. */
export const verdictRules: readonly VerdictRule[] = [
  staleNonce,
  wrongPassword,
  unidentifiedCaller,
  trunkChallenges,
  noCredentials,
  connectionSilent,
  tooManyContacts,
  registrationForbidden,
  registrationTooBrief,
  registrationRefused,
  registrationUnanswered,
  largeInviteUnanswered,
  inviteUnanswered,
  onlyTrying,
  numberNotFoundHere,
  numberNotFound,
  addressIncomplete,
  callForbidden,
  temporarilyUnavailable,
  busy,
  declined,
  timeout,
  gone,
  unsupported,
  mediaNotAcceptable,
  serverError,
  serviceUnavailable,
  loopDetected,
  tooManyHops,
  redirected,
  alternativeService,
  identityRefused,
  anonymousRefused,
  rejected,
  cancelIgnored,
  cancelled,
  noAck,
  endedAtTimerH,
  cancelCrossedAnswer,
  completed,
  callLeftOver,
  endNotSeen,
  inProgress,
  registered,
  privateContact,
  wrongTarget,
  responsesAstray,
  responsesNotReceived,
  prackMissing,
  lateOfferUnanswered,
  privateMediaAddress,
  rewrittenSdp,
  encryptionMismatch,
  noIce,
  rtpTimeout,
  poorMedia,
  sessionIntervalTooSmall,
  sessionChangeRefused,
  sessionTimerExpired,
  glare,
  dialogUnknown,
  byeUnanswered,
  transferFailed,
  holdNotReleased,
  brokenLogin,
  registrationStopped,
  registrationLapsed,
  severalContacts,
  optionsUnanswered,
  optionsRefused,
  forked,
  progressWithoutSdp,
  slowSetup,
  ringingAndProgress,
  noDtmfEvents,
  networkCause,
  badEvent,
  scanner,
]
