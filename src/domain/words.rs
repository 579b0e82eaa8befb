//! The closed vocabularies: each word on the wire, in a policy and in the code is the same word.
//!
//! A list here must equal the enumerated entity of the same name in `policies/council.cedarschema`
//! (`tests/architecture.rs` compares them) and the enumeration in `schemas/`.

macro_rules! words {
    ($($(#[$meta:meta])* $name:ident { $($variant:ident = $word:literal),+ $(,)? })+) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $(#[serde(rename = $word)] $variant),+ }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The entity type of this vocabulary in the Cedar schema.
            pub const CEDAR: &'static str = stringify!($name);

            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl Word for $name {
            const WORDS: &'static [Self] = Self::ALL;

            fn cedar_type(self) -> &'static str {
                Self::CEDAR
            }

            fn word(self) -> &'static str {
                self.word()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.word())
            }
        }

        impl std::str::FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                Self::ALL.iter().copied().find(|w| w.word() == word).ok_or(UnknownWord)
            }
        }
    )+};
}

/// A word of some vocabulary: `PersonKind::"councillor"` in a policy.
pub trait Word: Copy + 'static {
    /// Every word of the vocabulary.
    const WORDS: &'static [Self];
    fn cedar_type(self) -> &'static str;
    fn word(self) -> &'static str;
}

/// A word that its vocabulary does not have.
#[derive(Debug, thiserror::Error)]
#[error("not a word of this vocabulary")]
pub struct UnknownWord;

words! {
    /// What someone does with a paper (contract §4).
    Action {
        Read = "read", Disclose = "disclose", Discuss = "discuss", Use = "use", BriefGroup = "brief_group",
        Relay = "relay", LearnRequest = "learn_request",
    }

    /// Kinds of person, of the register and beyond it, and kinds of recipient.
    PersonKind {
        Councillor = "councillor", ElectedMayor = "elected_mayor", CoOptedMember = "co_opted_member",
        Officer = "officer", PoliticalAssistant = "political_assistant", MayorsAssistant = "mayors_assistant",
        NotInOffice = "not_in_office",
        Public = "public", PartyWorker = "party_worker", GroupGuest = "group_guest", Associate = "associate",
        OtherCouncilCouncillor = "other_council_councillor", FormerCouncillor = "former_councillor",
        Group = "group", Body = "body", Journalist = "journalist", Constituent = "constituent",
        CommunityGroup = "community_group", Candidate = "candidate", LegalAdviser = "legal_adviser",
    }

    /// Offices an officer holds (contract §2).
    Post {
        MonitoringOfficer = "monitoring_officer", ChiefExecutive = "chief_executive",
        ManagingDirector = "managing_director", Section151 = "section_151", ProperOfficer = "proper_officer",
        CorporateDirector = "corporate_director", ServiceHead = "service_head", ScrutinyOfficer = "scrutiny_officer",
        DemocraticServices = "democratic_services", InformationGovernance = "information_governance",
    }

    Employment { Employee = "employee", FixedTerm = "fixed_term", Agency = "agency", Consultant = "consultant" }

    /// Whether the council operates executive arrangements: SI 2012/2089 applies only then (R-2-10).
    Governance { Executive = "executive", CommitteeSystem = "committee_system" }

    BodyKind {
        Council = "council", Executive = "executive", ExecutiveCommittee = "executive_committee",
        Committee = "committee", SubCommittee = "sub_committee", OverviewAndScrutiny = "overview_and_scrutiny",
        ScrutinySubCommittee = "scrutiny_sub_committee", JointCommittee = "joint_committee", Advisory = "advisory",
        Forum = "forum",
    }

    MembershipRole { Member = "member", Chair = "chair", ViceChair = "vice_chair", Substitute = "substitute" }

    /// Who does not accept the answer.
    DisputedBy { Requester = "requester", AnotherCouncillor = "another_councillor", Officer = "officer" }

    InterestKind {
        DisclosablePecuniary = "disclosable_pecuniary", OtherRegistrable = "other_registrable",
        NonRegistrable = "non_registrable", Financial = "financial", Personal = "personal", Prejudicial = "prejudicial",
    }

    InterestHolder {
        SelfHeld = "self", Partner = "partner", Relative = "relative", CloseAssociate = "close_associate", Body = "body",
    }

    InterestRelation { DirectlyRelates = "directly_relates", Affects = "affects" }

    DocumentKind {
        Agenda = "agenda", Report = "report", BackgroundPaper = "background_paper", Minutes = "minutes",
        DecisionRecord = "decision_record", Draft = "draft", Briefing = "briefing", Correspondence = "correspondence",
        CaseFile = "case_file", LegalAdvice = "legal_advice", GroupPaper = "group_paper",
        RequestRecord = "request_record", RegisterOfInterests = "register_of_interests", Discussion = "discussion",
        Other = "other",
    }

    DraftKind { None = "none", EmergingPolicy = "emerging_policy", CommitteeReport = "committee_report", Other = "other" }

    Proceedings { None = "none", Contemplated = "contemplated", Ongoing = "ongoing" }

    Tag {
        Commercial = "commercial", Process = "process", Substance = "substance", Personal = "personal",
        PoliticalAdviserAdvice = "political_adviser_advice", InterestNature = "interest_nature",
    }

    /// `open` means only "neither exempt nor confidential", not published (contract §3).
    Access { Open = "open", Exempt = "exempt", Confidential = "confidential", Unsettled = "unsettled" }

    /// The two cases of LGA 1972 s100A(3) (S-100A-3).
    ConfidentialLimb { GovernmentDepartment = "government_department", EnactmentOrCourt = "enactment_or_court" }

    ClassifiedBy { ProperOfficer = "proper_officer", Body = "body", DecisionMaker = "decision_maker" }

    /// The public interest balance of Schedule 12A paragraph 10.
    Balance { Maintain = "maintain", Disclose = "disclose" }

    BusinessStatus {
        ToBeTransacted = "to_be_transacted", Transacted = "transacted", ToBeMade = "to_be_made", Made = "made",
    }

    /// The minutes' word for a past item.
    ItemOpenness {
        Open = "open", ExcludedConfidential = "excluded_confidential", ExcludedExempt = "excluded_exempt",
        Disorder = "disorder",
    }

    DecisionMaker {
        ExecutiveMember = "executive_member", ExecutiveOfficer = "executive_officer",
        NonexecutiveOfficer = "nonexecutive_officer",
    }

    /// Which law governs a piece of business (S-100E-1 to S-100E-5, R-2-4, R-2-10, O-7-1).
    Regime { PartVa = "part_va", Executive = "executive", OfficerDecision = "officer_decision", Outside = "outside" }

    Capacity {
        Councillor = "councillor", OfficerDuty = "officer_duty", Private = "private", Client = "client",
        Professional = "professional", EmployeeResident = "employee_resident",
        OutsideBodyRepresentative = "outside_body_representative", OtherCouncil = "other_council",
    }

    Ground {
        CommitteeBusiness = "committee_business", Scrutiny = "scrutiny", Portfolio = "portfolio", Ward = "ward",
        Casework = "casework", PartyPolitical = "party_political", Private = "private", Professional = "professional",
        Curiosity = "curiosity", ContestCouncil = "contest_council", InfluenceProceedings = "influence_proceedings",
        LegalAdvice = "legal_advice", PublicInterest = "public_interest", Other = "other",
    }

    OnBehalfOf {
        None = "none", Constituent = "constituent", ThirdParty = "third_party", Person = "person", Group = "group",
    }

    Channel {
        MemberEnquiry = "member_enquiry", UrgentEnquiry = "urgent_enquiry", Director = "director",
        JuniorOfficer = "junior_officer", ProceedingsOfficer = "proceedings_officer", Foi = "foi", System = "system",
    }

    Setting {
        PartIiMeeting = "part_ii_meeting", PrivateMeeting = "private_meeting", PublicMeeting = "public_meeting",
        GroupMeeting = "group_meeting", OpenPlanOffice = "open_plan_office",
    }

    /// What a person or body can record (contract §5).
    Determination {
        NeedToKnow = "need_to_know", WardProblem = "ward_problem", DocumentRelevant = "document_relevant",
        SpecificJustification = "specific_justification", ReasonDoubted = "reason_doubted", Fishing = "fishing",
        ImproperPurpose = "improper_purpose", Refusal = "refusal", Burden = "burden", Doubt = "doubt",
        Urgency = "urgency", ScrutinyPurpose = "scrutiny_purpose", ScrutinyRelevance = "scrutiny_relevance",
        RedactionDecided = "redaction_decided", RedactionHarmless = "redaction_harmless",
        AdministrationOnly = "administration_only", InterestKind = "interest_kind", Prejudicial = "prejudicial",
        MonitoringOfficerAdvice = "monitoring_officer_advice", OwnerConsent = "owner_consent",
        LegalRequirement = "legal_requirement", LegalRight = "legal_right", PublicInterest = "public_interest",
        GoodFaith = "good_faith", ReasonableRequirements = "reasonable_requirements",
        ConfidentialNature = "confidential_nature", DataProtectionBarred = "data_protection_barred",
        DpBreachLikely = "dp_breach_likely", BreachOfConfidence = "breach_of_confidence", Illegality = "illegality",
        Maladministration = "maladministration", DamageLevel = "damage_level", Necessity = "necessity",
        Authority = "authority", GroupRequest = "group_request", ProfessionalUse = "professional_use",
        SensitiveAgreed = "sensitive_agreed", ChiefExecutiveAgreement = "chief_executive_agreement",
        MdDecision = "md_decision", ServiceHeadDecision = "service_head_decision", Classification = "classification",
        DisclosesExempt = "discloses_exempt",
    }

    DamageLevel { None = "none", Damaging = "damaging", Severe = "severe" }

    /// What Schedule 12A Part 2 makes of a part.
    Finding { Exempt = "exempt", NotExempt = "not_exempt" }

    /// On what a part was disclosed.
    Basis { Statute = "statute", CommonLaw = "common_law", Protocol = "protocol", Nothing = "nothing" }

    /// The layer a rule belongs to (contract §4).
    Layer { Statute = "statute", CommonLaw = "common_law", Protocol = "protocol" }

    Outcome { Allow = "allow", Redact = "redact", Deny = "deny" }

    PartOutcome { Disclose = "disclose", Withhold = "withhold" }

    /// What became of a rule that was tried.
    TestResult {
        Met = "met", NotMet = "not_met", Barred = "barred", Unknown = "unknown", NotApplicable = "not_applicable",
    }

    /// What a rule that bore on the outcome did.
    Effect { Permit = "permit", Forbid = "forbid", Redact = "redact", Refer = "refer", Obligation = "obligation" }

    ObligationType {
        UseOnlyForPurpose = "use_only_for_purpose", NoPartyPoliticalUse = "no_party_political_use",
        DiscussOnlyInPrivate = "discuss_only_in_private", NoOnwardDisclosure = "no_onward_disclosure",
        MarkConfidential = "mark_confidential", NotUntilPublic = "not_until_public",
        MonitoringOfficerAdviceBeforeRelease = "monitoring_officer_advice_before_release",
        InformationSecurityPolicy = "information_security_policy", DeclarePrivateCapacity = "declare_private_capacity",
        ReplyWithinWorkingDays = "reply_within_working_days",
        NoContactWithProceedingsOfficers = "no_contact_with_proceedings_officers", ClientRules = "client_rules",
        OfferToAllGroups = "offer_to_all_groups", FactsAndOptionsOnly = "facts_and_options_only",
        ProcessOnly = "process_only", InformMemberOfRefusal = "inform_member_of_refusal",
        KeepRequestConfidential = "keep_request_confidential",
        WrittenReasonsToCommittee = "written_reasons_to_committee",
    }

    InformationType {
        FoiRoute = "foi_route", NoFormalFoiNeeded = "no_formal_foi_needed", ComplaintRoute = "complaint_route",
        StatutoryTimeLimit = "statutory_time_limit", LocalTimeLimit = "local_time_limit", HandlingDuty = "handling_duty",
        EirRoute = "eir_route",
    }

    /// Who may be asked to decide (contract §4 `referral.to`).
    ReferralRole {
        ServiceHead = "service_head", CorporateDirector = "corporate_director", MonitoringOfficer = "monitoring_officer",
        ChiefExecutive = "chief_executive", ManagingDirector = "managing_director", ProperOfficer = "proper_officer",
        Executive = "executive", Body = "body", ScrutinyOfficer = "scrutiny_officer", LineManager = "line_manager",
    }

    /// What a caller of the service may be (contract §8).
    CallerRole {
        Pep = "pep", Officer = "officer", Registrar = "registrar", MonitoringOfficer = "monitoring_officer",
        InformationGovernance = "information_governance", PolicyAdmin = "policy_admin", Operator = "operator",
        Councillor = "councillor",
    }

    /// What the log's entries are sorted into for how long they are kept.
    RecordClass {
        Allow = "allow", RedactOrDeny = "redact_or_deny", Determination = "determination",
        RegisterWrite = "register_write", DocumentWrite = "document_write", LogRead = "log_read", Other = "other",
    }

    /// Why entries are kept whatever their period: somebody has asked for them, complains, or goes to law.
    HoldKind { Foi = "foi", Complaint = "complaint", Litigation = "litigation", Other = "other" }

    HoldStatus { Open = "open", Released = "released" }

    /// Whether a referral still waits.
    ReferralStatus { Open = "open", Overdue = "overdue", Closed = "closed" }

    /// What became of a request to erase.
    ErasureOutcome { Erased = "erased", Refused = "refused" }

    /// On what ground something was erased: its period was over, or somebody decided so.
    ErasedUnder { Schedule = "schedule", Request = "request" }
}
