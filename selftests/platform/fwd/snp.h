/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The SNP half of cvm-fwd. Layouts and status codes: AMD's SEV-SNP firmware
 * ABI (56860); certificate table and VMM codes: GHCB specification (56421).
 * Little-endian throughout, like the machines that this runs on.
 */
#ifndef CVM_FWD_SNP_H
#define CVM_FWD_SNP_H

#include "fwd.h"

#define SNP_REPORT_LEN		1184
#define SNP_SIGNED_LEN		0x2a0	/* the report up to its signature */
#define SNP_VMPCKS		4

/* what SNP_GUEST_REQUEST returns */
enum snp_fw_error {
	SNP_OK			= 0x00,
	SNP_INVALID_LEN		= 0x04,
	SNP_BAD_MEASUREMENT	= 0x0b,	/* the message is not authentic */
	SNP_INVALID_PARAM	= 0x16,
	SNP_AEAD_OFLOW		= 0x1d,	/* sequence number wrong or used up */
	SNP_INVALID_KEY		= 0x27,
};

/* upper half of SW_EXITINFO2: what the host says */
#define SNP_VMM_INVALID_LEN	(1ULL << 32)
#define SNP_VMM_BUSY		(2ULL << 32)
#define SNP_VMM_GENERIC		(0xffffffffULL << 32)

#define SNP_EXIT_REQUEST	0x80000011ULL
#define SNP_EXIT_EXT_REQUEST	0x80000012ULL

enum snp_msg_type {
	SNP_MSG_KEY_REQ		= 3,
	SNP_MSG_REPORT_REQ	= 5,
};

struct snp_msg_hdr {
	uint8_t authtag[32];
	uint64_t seqno;
	uint8_t reserved1[8];
	uint8_t algo;		/* the AAD starts here */
	uint8_t hdr_version;
	uint16_t hdr_size;
	uint8_t type;
	uint8_t version;
	uint16_t size;
	uint32_t reserved2;
	uint8_t vmpck;
	uint8_t reserved3[35];
} __attribute__((packed));

struct snp_msg {
	struct snp_msg_hdr hdr;
	uint8_t payload[FW_PAGE - sizeof(struct snp_msg_hdr)];
} __attribute__((packed));

_Static_assert(sizeof(struct snp_msg_hdr) == 0x60, "header");
_Static_assert(sizeof(struct snp_msg) == FW_PAGE, "message");

struct snp_report_req {
	uint8_t report_data[64];
	uint32_t vmpl;
	uint32_t key_sel;	/* bits 1:0 */
	uint8_t reserved[24];
};

struct snp_report_rsp {
	uint32_t status;
	uint32_t report_size;
	uint8_t reserved[24];
	uint8_t report[SNP_REPORT_LEN];
};

struct snp_key_req {
	uint32_t root_key_select;
	uint32_t reserved;
	uint64_t guest_field_select;
	uint32_t vmpl;
	uint32_t guest_svn;
	uint64_t tcb_version;
	uint64_t launch_mit_vector;	/* message version 2 */
};

struct snp_key_rsp {
	uint32_t status;
	uint8_t reserved[28];
	uint8_t key[32];
};

_Static_assert(sizeof(struct snp_report_req) == 96, "report request");
_Static_assert(sizeof(struct snp_report_rsp) == 0x20 + SNP_REPORT_LEN, "report response");
_Static_assert(sizeof(struct snp_key_req) == 40, "key request");
_Static_assert(sizeof(struct snp_key_rsp) == 64, "key response");

enum snp_product { SNP_MILAN, SNP_GENOA, SNP_TURIN, SNP_PRODUCTS };
enum snp_key { SNP_VCEK, SNP_VLEK };

/* a value that the product gives until somebody sets it */
struct snp_u64 {
	uint64_t value;
	bool set;
};

struct snp_firmware_version {
	uint8_t build, minor, major;
};

/**
 * struct snp_config - the machine and its guest, as options set them
 *
 * TCB versions are what the firmware prints as a 64-bit number; which byte is
 * what depends on the product: snp_tcb_part().
 */
struct snp_config {
	unsigned int product, signing_key;
	uint32_t report_version;	/* 0: the product's */
	uint32_t vmpl;
	uint64_t policy;
	bool debug;
	uint32_t guest_svn;
	uint8_t family_id[16], image_id[16];
	uint8_t measurement[48], host_data[32];
	uint8_t id_key_digest[48], author_key_digest[48];
	uint8_t report_id[32], report_id_ma[32];
	bool report_id_set;
	struct snp_u64 current_tcb, reported_tcb, committed_tcb, launch_tcb;
	struct snp_u64 cpuid;		/* family, model, stepping from the top: 0x190101 */
	uint8_t chip_id[64];
	bool chip_id_set;
	uint64_t platform_info;
	uint64_t launch_mit_vector, current_mit_vector;
	struct snp_firmware_version current, committed;
	bool author_key_en, mask_chip_key;
	uint32_t mask_chip_id;		/* 0, 1; 2: with a VLEK only, as clouds do */
	uint32_t signature_algo;
	uint32_t key_version;		/* newest MSG_KEY_REQ that the firmware takes */
};

extern struct snp_config snp;

enum snp_tcb_part { TCB_FMC, TCB_BOOTLOADER, TCB_TEE, TCB_SNP, TCB_UCODE, TCB_PARTS };

/* -1: this product has no such part */
int snp_tcb_part(uint64_t tcb, enum snp_tcb_part part);

/* no part of a is above the same part of b */
bool snp_tcb_within(uint64_t a, uint64_t b);

uint64_t snp_current_tcb(void);
uint64_t snp_reported_tcb(void);
uint64_t snp_committed_tcb(void);
uint64_t snp_launch_tcb(void);
uint32_t snp_cpuid(void);
uint32_t snp_report_version(void);
const char *snp_product_name(void);		/* "Milan" */
void snp_chip_id(uint8_t id[64]);		/* the chip's own, not masked */
unsigned int snp_chip_id_len(void);
void snp_config_init(struct fwd *fwd);

/* ---- snp_msg.c ---- */

/* the firmware's command: request page to response page */
uint32_t snp_guest_message(struct fwd *fwd, const struct snp_msg *req, struct snp_msg *rsp);
void snp_msg_init(struct fwd *fwd);

/* the host has seen this request page: into the IV log, whatever comes of it */
void snp_msg_seen(struct fwd *fwd, const struct snp_msg *req);

/* every VMPCK has carried so many messages */
void snp_msg_preset(uint64_t messages);
void snp_msg_status(FILE *out);

/* faults of the answer, see host_options; each counts down by one an answer */
struct snp_faults {
	uint32_t bad_tag, bad_seq, bad_type, bad_version, bad_size, bad_report_data;
	uint32_t bad_size_value;
	uint32_t report_status, report_status_n;
};

extern struct snp_faults snp_faults;

/* ---- snp_report.c, snp_key.c: bodies; req_vmpl: what the VMPCK stands for ---- */

void snp_report(const struct snp_report_req *req, unsigned int req_vmpl,
		struct snp_report_rsp *rsp);
void snp_derive_key(struct fwd *fwd, const struct snp_key_req *req, unsigned int version,
		    unsigned int req_vmpl, struct snp_key_rsp *rsp);

/* which key: KEY_SEL of both requests; SNP_OK, or the status for the guest */
uint32_t snp_select_key(uint32_t key_sel, enum snp_key *key);

/* ---- snp_certs.c ---- */

int snp_certs_init(struct fwd *fwd);

/* the leaf certificate for the present TCB, chip and product, with its key */
const struct pki_cert *snp_leaf(enum snp_key key);

/* something that the certificates say has changed */
void snp_certs_stale(struct fwd *fwd);

int snp_set_csp_id(const struct fw_option *opt, const char *value, char *err);

/* the GHCB table of the host, padded; -> its length, 0: the host has none */
uint32_t snp_cert_table(uint8_t *out, uint32_t size);

extern bool snp_certs_enabled;
extern uint32_t snp_certs_pages;
extern bool snp_certs_crl;

#endif /* CVM_FWD_SNP_H */
