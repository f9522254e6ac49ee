/* SPDX-License-Identifier: MIT */
#ifndef CVM_SKR_WRAPPING_H
#define CVM_SKR_WRAPPING_H

/* no password, so no use but by its policy; no other TPM; and nobody else has made it */
#define CVM_SKR_ATTRIBUTES	(TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | \
				 TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_NODA | \
				 TPMA_OBJECT_DECRYPT)

#endif /* CVM_SKR_WRAPPING_H */
