//! The words of the sample: several languages and scripts, written for this demo.

/// What one language says.
pub struct Language {
    /// Its tag (BCP 47).
    pub tag: &'static str,
    /// Beginnings of a post.
    pub openings: [&'static str; 4],
    /// Ends of a post.
    pub endings: [&'static str; 4],
    /// What a picture shows.
    pub captions: [&'static str; 2],
}

/// The name of the person who moves out.
pub const DISPLAY_NAME: &str = "Zoë Λιμάνι 港 🌊";

/// Emoji that posts end with.
pub const EMOJI: [&str; 12] = ["🌊", "🧭", "🍲", "🚲", "📚", "🌱", "🪁", "🌙", "🎈", "👩🏽‍🌾", "🏳️‍🌈", "🧶"];

/// Tags of posts.
pub const TAGS: [&str; 8] = ["harbour", "Hafen", "λιμάνι", "港", "гавань", "مرفأ", "항구", "बंदरगाह"];

/// The languages.
pub const LANGUAGES: [Language; 12] = [
    Language {
        tag: "en",
        openings: [
            "The harbour was quiet this morning.",
            "Mended the green rowing boat at last.",
            "Learned a new knot today and forgot two old ones.",
            "Somebody left a jar of honey on our doorstep.",
        ],
        endings: [
            "The gulls had opinions about it.",
            "Tea helps.",
            "Tomorrow we try again with more rope.",
            "I should write these things down more often.",
        ],
        captions: ["Low tide behind the boat shed", "Fog lifting from the breakwater"],
    },
    Language {
        tag: "de",
        openings: [
            "Heute früh lag der Hafen still.",
            "Das grüne Ruderboot ist endlich geflickt.",
            "Einen neuen Knoten gelernt, zwei alte vergessen.",
            "Jemand hat uns ein Glas Honig vor die Tür gestellt.",
        ],
        endings: [
            "Die Möwen sahen das anders.",
            "Tee hilft.",
            "Morgen dann mit längerem Seil.",
            "Schön wär’s, wenn’s so bliebe: größer, grüner, müßiger.",
        ],
        captions: ["Ebbe hinter dem Bootsschuppen", "Nebel über der Mole"],
    },
    Language {
        tag: "el",
        openings: [
            "Ήσυχο το λιμάνι σήμερα το πρωί.",
            "Επιτέλους μπάλωσα την πράσινη βάρκα.",
            "Έμαθα έναν καινούριο κόμπο και ξέχασα δύο παλιούς.",
            "Κάποιος μας άφησε ένα βάζο μέλι στην πόρτα.",
        ],
        endings: [
            "Οι γλάροι διαφωνούν.",
            "Το τσάι βοηθάει.",
            "Αύριο πάλι, με πιο μακρύ σκοινί.",
            "Να τα γράφω πιο συχνά.",
        ],
        captions: ["Άμπωτη πίσω από το καρνάγιο", "Ομίχλη πάνω από τον μόλο"],
    },
    Language {
        tag: "ja",
        openings: [
            "今朝の港はとても静かだった。",
            "緑のボートをやっと直した。",
            "新しい結び方を一つ覚え、古いのを二つ忘れた。",
            "玄関に蜂蜜の瓶が置いてあった。",
        ],
        endings: ["カモメは不満そうだ。", "お茶にしよう。", "明日はもっと長いロープで。", "もっと書き残しておこう。"],
        captions: ["引き潮の船小屋", "防波堤の霧"],
    },
    Language {
        tag: "zh",
        openings: [
            "今天早上港口很安静。",
            "绿色的小船终于补好了。",
            "学会了一个新绳结，忘了两个旧的。",
            "有人在门口放了一罐蜂蜜。",
        ],
        endings: ["海鸥不太同意。", "喝杯茶就好。", "明天换一根更长的绳子。", "这些事该多记下来。"],
        captions: ["船棚后的退潮", "防波堤上的雾"],
    },
    Language {
        tag: "ar",
        openings: [
            "كان المرفأ هادئًا هذا الصباح.",
            "أصلحتُ القارب الأخضر أخيرًا.",
            "تعلمتُ عقدة جديدة ونسيتُ اثنتين.",
            "ترك أحدهم مرطبان عسل عند بابنا.",
        ],
        endings: ["للنوارس رأي آخر.", "الشاي يساعد.", "غدًا نحاول بحبل أطول.", "عليّ أن أكتب أكثر."],
        captions: ["الجَزر خلف سقيفة القوارب", "ضباب فوق كاسر الأمواج"],
    },
    Language {
        tag: "hi",
        openings: [
            "आज सुबह बंदरगाह शांत था।",
            "हरी नाव आख़िरकार ठीक हो गई।",
            "एक नई गाँठ सीखी, दो पुरानी भूल गई।",
            "कोई दरवाज़े पर शहद का मर्तबान रख गया।",
        ],
        endings: ["चिड़ियों की राय अलग थी।", "चाय से सब ठीक।", "कल लंबी रस्सी के साथ।", "यह सब लिखते रहना चाहिए।"],
        captions: ["नाव-घर के पीछे उतरता पानी", "घाट पर कोहरा"],
    },
    Language {
        tag: "ru",
        openings: [
            "Сегодня утром в гавани было тихо.",
            "Наконец-то починила зелёную лодку.",
            "Выучила новый узел, забыла два старых.",
            "Кто-то оставил у двери банку мёда.",
        ],
        endings: [
            "Чайки не согласны.",
            "Чай помогает.",
            "Завтра возьмём верёвку подлиннее.",
            "Надо чаще это записывать.",
        ],
        captions: ["Отлив за лодочным сараем", "Туман над молом"],
    },
    Language {
        tag: "ko",
        openings: [
            "오늘 아침 항구는 조용했다.",
            "초록 배를 드디어 고쳤다.",
            "새 매듭 하나를 배우고 두 개를 잊었다.",
            "누가 문 앞에 꿀단지를 두고 갔다.",
        ],
        endings: ["갈매기들은 생각이 다르다.", "차 한 잔이면 된다.", "내일은 더 긴 밧줄로.", "더 자주 적어 두어야지."],
        captions: ["보트 창고 뒤의 썰물", "방파제의 안개"],
    },
    Language {
        tag: "he",
        openings: [
            "הנמל היה שקט הבוקר.",
            "סוף סוף תיקנתי את הסירה הירוקה.",
            "למדתי קשר חדש ושכחתי שניים ישנים.",
            "מישהו השאיר צנצנת דבש ליד הדלת.",
        ],
        endings: ["לשחפים יש דעה אחרת.", "תה עוזר.", "מחר עם חבל ארוך יותר.", "כדאי לכתוב יותר."],
        captions: ["שפל מאחורי סככת הסירות", "ערפל מעל שובר הגלים"],
    },
    Language {
        tag: "tr",
        openings: [
            "Liman bu sabah çok sessizdi.",
            "Yeşil kayığı sonunda onardım.",
            "Yeni bir düğüm öğrendim, iki eskisini unuttum.",
            "Biri kapımıza bir kavanoz bal bırakmış.",
        ],
        endings: [
            "Martılar aynı fikirde değil.",
            "Çay iyi gelir.",
            "Yarın daha uzun bir iple.",
            "Bunları daha sık yazmalı.",
        ],
        captions: ["Kayıkhanenin arkasında cezir", "Mendirekte sis"],
    },
    Language {
        tag: "es",
        openings: [
            "El puerto amaneció en calma.",
            "Por fin remendé la barca verde.",
            "Aprendí un nudo nuevo y olvidé dos viejos.",
            "Alguien nos dejó un tarro de miel en la puerta.",
        ],
        endings: [
            "Las gaviotas no opinan igual.",
            "El té ayuda.",
            "Mañana, con más cuerda.",
            "Debería anotarlo más a menudo; ¡qué pequeño es el mañana!",
        ],
        captions: ["Marea baja tras el varadero", "Niebla sobre el espigón"],
    },
];
